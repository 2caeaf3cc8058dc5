import { ApiError } from '../status.ts';

/** How an answer is to look: the objects as they are, as a table, or their metadata alone. */
export type AnswerForm = 'object' | 'table' | 'partial';

/** The first form that the Accept header names and that is served. Throws a 406 if it wants none of them. */
export function answerForm(accept: string | undefined): AnswerForm {
  if (accept === undefined || accept.trim() === '') return 'object';
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const as = parameters.find((parameter) => parameter.startsWith('as='));
    if (as === undefined) return 'object';
    if (!parameters.includes('v=v1')) continue;
    if (as === 'as=table') return 'table';
    if (as === 'as=partialobjectmetadatalist' || as === 'as=partialobjectmetadata') return 'partial';
  }
  throw new ApiError({
    code: 406,
    reason: 'NotAcceptable',
    message: 'only the following media types are accepted: application/json',
  });
}

/** What kind of trouble a LabError is: bad input or usage (2), an environment that cannot do it (3). */
export type LabErrorCode = 'usage' | 'environment';

/** Trouble that the user can mend; the message says how. Only src/cli/main.ts prints it. */
export class LabError extends Error {
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabError';
    this.code = code;
  }
}

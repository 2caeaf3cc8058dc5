import { beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/apiserver/streams/pod-access.ts';
import type { Answer } from './api-fixture.ts';
import { useStreams } from './pod-access-double.ts';

const streams = useStreams();

function record(time: string, text: string): LogRecord {
  return { time, text: Buffer.from(text) };
}

function log(query = ''): Promise<Answer> {
  return streams.api.ask(`/api/v1/namespaces/default/pods/web/log${query}`);
}

const OLD = '2020-01-01T00:00:00.000000000Z';
const NEW = '2030-01-01T00:00:00.000000000Z';

describe('a log', () => {
  beforeEach(() => (streams.pods.records = [record(OLD, 'old\n'), record(NEW, 'a long '), record(NEW, 'line\n')]));

  it.each([
    ['', 'old\na long line\n'],
    ['?timestamps=true', `${OLD} old\n${NEW} a long line\n`],
    ['?sinceSeconds=60', 'a long line\n'],
    ['?sinceTime=2025-01-01T00:00:00%2B02:00', 'a long line\n'],
    ['?sinceTime=2031-01-01T00:00:00Z', ''],
    ['?limitBytes=6', 'old\na '],
  ])('%s', async (query, text) => {
    expect(await log(query)).toMatchObject({ code: 200, text, headers: { 'content-type': 'text/plain' } });
  });

  it('is asked for as the client says', async () => {
    await log('?tailLines=3&follow=true&previous=1');
    expect(streams.pods.selections).toMatchObject([{ tailLines: 3, follow: true, previous: true }]);
  });
});

describe('what is no log', () => {
  it.each([
    ['?tailLines=-1', 422, 'tailLines: Invalid value: "-1": must be greater than or equal to 0'],
    ['?tailLines=x', 422, 'tailLines: Invalid value: "x"'],
    ['?limitBytes=0', 422, 'limitBytes: Invalid value: "0": must be greater than 0'],
    ['?sinceSeconds=0', 422, 'sinceSeconds: Invalid value: "0": must be greater than 0'],
    ['?sinceTime=yesterday', 422, 'sinceTime: Invalid value: "yesterday"'],
    ['?sinceSeconds=1&sinceTime=2025-01-01T00:00:00Z', 422, 'at most one of `sinceTime` or `sinceSeconds`'],
    ['?container=none', 400, 'container none is not valid for pod web'],
  ])('%s', async (query, code, message) => {
    const answer = await log(query);
    expect(answer.code).toBe(code);
    expect((JSON.parse(answer.text) as { message: string }).message).toContain(message);
  });
});

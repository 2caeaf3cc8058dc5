import { describe, expect, test } from 'vitest';
import { allows, verdictOf, type DirectionVerdict } from '../../src/model/verdict.ts';

const OPEN: DirectionVerdict = { kind: 'not-isolated' };
const CLOSED: DirectionVerdict = { kind: 'no-rule', policies: [] };

test.each<[DirectionVerdict, boolean]>([
  [OPEN, true],
  [{ kind: 'itself' }, true],
  [{ kind: 'node' }, true],
  [{ kind: 'rules', matches: [] }, true],
  [CLOSED, false],
])('allows: %j: %s', (verdict, want) => {
  expect(allows(verdict)).toBe(want);
});

describe('verdictOf allows only what both directions allow', () => {
  test.each([
    [OPEN, OPEN, true],
    [OPEN, CLOSED, false],
    [CLOSED, OPEN, false],
    [CLOSED, CLOSED, false],
  ])('%j, %j: %s', (egress, ingress, want) => {
    expect(verdictOf({ egress, ingress })).toEqual({ allowed: want, egress, ingress });
  });
});

import type { Case } from './case.ts';
import { ISOLATION_CASES } from './isolation-cases.ts';
import { PEER_CASES } from './peer-cases.ts';
import { BLOCK_CASES } from './block-cases.ts';
import { PORT_CASES } from './port-cases.ts';
import { EXEMPT_CASES } from './exempt-cases.ts';

/** The conformance cases of every rule whose verdict follows from one cluster and one connection. */
export const CASES: readonly Case[] = [
  ...ISOLATION_CASES,
  ...PEER_CASES,
  ...BLOCK_CASES,
  ...PORT_CASES,
  ...EXEMPT_CASES,
];

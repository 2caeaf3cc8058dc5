import { TestLab } from '../e2e/lab-fixture.ts';
import { CHANGE_CASES } from './change-cases.ts';
import { ISOLATION_CASES } from './isolation-cases.ts';
import { runLifecycle } from './lifecycle.ts';
import { PEER_CASES } from './peer-cases.ts';
import { PORT_CASES } from './port-cases.ts';
import { runConformance } from './suite.ts';

const CASES = [...ISOLATION_CASES, ...PEER_CASES, ...PORT_CASES, ...CHANGE_CASES];

runConformance('netns', (spec) => TestLab.start(spec), CASES);
runLifecycle('netns', (spec) => TestLab.start(spec));

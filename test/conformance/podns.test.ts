import { ContainerTestLab } from '../container/container-lab-fixture.ts';
import { CHANGE_CASES } from './change-cases.ts';
import { ISOLATION_CASES } from './isolation-cases.ts';
import { runConformance } from './suite.ts';

// Which peers and ports a rule matches is the table's to say, which is the same everywhere; these cases show that both
// ends of a connection are judged, each by its own pod's proxy.
runConformance('podns', (spec) => ContainerTestLab.start(spec), [...ISOLATION_CASES, ...CHANGE_CASES], { labs: 2 });

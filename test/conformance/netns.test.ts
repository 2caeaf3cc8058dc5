import { TestLab } from '../e2e/lab-fixture.ts';
import { policy, policyCase } from './policy-case.ts';
import { runConformance } from './suite.ts';

runConformance('netns', (spec) => TestLab.start(spec), [
  policyCase('1 x', policy('x/deny', '{ podSelector: {}, policyTypes: [Ingress] }')),
  policyCase('2 x', policy('x/deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }'),policy('y/deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }'),policy('z/deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }')),
]);

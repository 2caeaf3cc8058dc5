import { evaluate } from '../../src/reference/evaluate.ts';
import { runConformance } from './conformance.ts';

runConformance('the reference', (cluster) => (connection) => evaluate(cluster, connection));

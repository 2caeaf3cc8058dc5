import { TOP } from './metadata-schema.ts';
import { ANY, struct } from './schema.ts';

/** Source: core/v1 Namespace. */
export const NAMESPACE = struct('Namespace', { ...TOP, spec: ANY, status: ANY });

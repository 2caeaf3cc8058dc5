import { endpointProblem, parsePortSpec, type PortSpec } from '../model/question.ts';
import { parseEndpoint, type Endpoint } from '../model/endpoint.ts';
import { KIND_PLURALS, kindNamed, type KindNames } from '../model/kind-names.ts';
import { LabError } from '../model/lab-error.ts';
import { suggestion } from '../model/nearest-name.ts';

/** The endpoint that a user wrote. @throws LabError usage if it is none. */
export function endpointOf(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new LabError('usage', endpointProblem(text));
  return endpoint;
}

/** The port that a user wrote. @throws LabError usage if it is none. */
export function portOf(text: string): PortSpec {
  const port = parsePortSpec(text);
  if (!port) throw new LabError('usage', `"${text}" is no port: write 80, 80/TCP or 53/UDP, from 1 to 65535`);
  return port;
}

/** The kind that a user wrote. @throws LabError usage if netpol-lab does not know it. */
export function kindOf(text: string): KindNames {
  const kind = kindNamed(text);
  if (!kind) throw new LabError('usage', `no kind "${text}"${suggestion(text, KIND_PLURALS)}`);
  return kind;
}

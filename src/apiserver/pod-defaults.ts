import { isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';
import { at, listAt, objectAt, textAt } from './api-object.ts';

/** The object's fields over the defaults; an empty text counts as absent, as in Go. */
export function over(defaults: JsonObject, object: JsonObject): JsonObject {
  const said = Object.entries(object).filter(([name, value]) => value !== '' || !Object.hasOwn(defaults, name));
  return { ...defaults, ...Object.fromEntries(said) };
}

/** The object with a field's items each changed; unchanged if the field is absent. */
export function eachOf(object: JsonObject, name: string, change: (item: JsonObject) => JsonObject): JsonObject {
  if (at(object, name) === undefined) return object;
  return { ...object, [name]: listAt(object, name).map((item) => (isObject(item) ? change(item) : item)) };
}

/** What the API server fills in of a pod's spec. Source: pkg/apis/core/v1/defaults.go. */
export function defaultPodSpec(spec: JsonObject): JsonObject {
  const filled = over(
    {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
    },
    spec,
  );
  return eachOf(eachOf(filled, 'containers', defaultContainer), 'initContainers', defaultContainer);
}

/** What else the API server's admission adds to a pod that is not only a template. */
export function admitPodSpec(spec: JsonObject): JsonObject {
  const account = textAt(spec, 'serviceAccountName') || 'default';
  return over(
    { enableServiceLinks: true, preemptionPolicy: 'PreemptLowerPriority', priority: 0, tolerations: TOLERATIONS },
    { ...spec, serviceAccount: account, serviceAccountName: account },
  );
}

/** The template of a workload with its pods' defaults. */
export function defaultTemplate(spec: JsonObject): JsonObject {
  const template = objectAt(spec, 'template');
  const filled = { ...template, spec: defaultPodSpec(objectAt(template, 'spec')) };
  return { ...spec, template: { metadata: {}, ...filled } };
}

const TOLERATIONS: readonly JsonValue[] = ['not-ready', 'unreachable'].map((condition) => ({
  effect: 'NoExecute',
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  tolerationSeconds: 300,
}));

function defaultContainer(container: JsonObject): JsonObject {
  const filled = over(
    {
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: pullPolicy(textAt(container, 'image')),
    },
    container,
  );
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].filter((name) => isObject(at(container, name)));
  return {
    ...eachOf(
      eachOf(filled, 'ports', (port) => over({ protocol: 'TCP' }, port)),
      'env',
      defaultEnv,
    ),
    ...Object.fromEntries(probes.map((name) => [name, defaultProbe(objectAt(container, name))])),
  };
}

/** Source: SetDefaults_Container. */
function pullPolicy(image: string): string {
  const name = image.slice(image.lastIndexOf('/') + 1);
  if (name.includes('@')) return 'IfNotPresent';
  const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultEnv(variable: JsonObject): JsonObject {
  const reference = at(variable, 'valueFrom', 'fieldRef');
  if (!isObject(reference)) return variable;
  return {
    ...variable,
    valueFrom: { ...objectAt(variable, 'valueFrom'), fieldRef: over({ apiVersion: 'v1' }, reference) },
  };
}

function defaultProbe(probe: JsonObject): JsonObject {
  const filled = over({ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }, probe);
  const request = at(probe, 'httpGet');
  return isObject(request) ? { ...filled, httpGet: over({ path: '/', scheme: 'HTTP' }, request) } : filled;
}

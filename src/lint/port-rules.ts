import { suggestion } from '../model/nearest-name.ts';
import { declaredPorts, namedPort, podKey, type Pod } from '../model/pod.ts';
import type { PolicyPort, Rule } from '../model/policy.ts';
import { selects } from '../model/selector.ts';
import type { Service } from '../model/service.ts';
import type { Port, Protocol } from '../net/port.ts';
import { inPolicy, ruleText, type Found } from './finding.ts';
import { destinations, rulesOf, type LintView, type RuleView } from './lint-view.ts';

/** Rules that name a Service's port where the pods listen on another. */
export function servicePort(view: LintView): Found[] {
  return rulesOf(view).flatMap((each) => {
    const pods = destinations(view, each);
    return portItems(each.rule).flatMap((item) => {
      if (item.port.kind !== 'range' || item.port.first !== item.port.last) return [];
      const { protocol } = item;
      const port = item.port.first;
      if (pods.some((pod) => declares(pod, protocol, port))) return [];
      const mixedUp = pods.flatMap((pod) => leadingElsewhere(view.cluster.services, pod, { protocol, port }));
      const [first] = mixedUp;
      if (!first || portItems(each.rule).some((other) => includes(other, protocol, first.target))) return [];
      return [servicePortFinding(each, item, { ...first, port })];
    });
  });
}

function servicePortFinding(
  { policy, direction, rule }: RuleView,
  item: PolicyPort,
  { service, pod, port, target }: Translation & { readonly port: Port },
): Found {
  return inPolicy(policy, item.source, {
    severity: 'warning',
    message: `${ruleText(direction, rule)}: ${port} is the port of Service ${podKey(service)}, which leads to ${target} on ${podKey(pod)}`,
    why: 'policies see the port of the pod: a Service is translated before they are asked',
    fix: `write port: ${target}`,
  });
}

/** Named ports that no pod in question has. */
export function unknownNamedPort(view: LintView): Found[] {
  return rulesOf(view).flatMap((each) => {
    const pods = destinations(view, each);
    if (pods.length === 0) return [];
    return portItems(each.rule).flatMap(({ protocol, port, source }) => {
      if (port.kind !== 'named' || pods.some((pod) => namedPort(pod, port.name, protocol) !== undefined)) return [];
      const names = pods.flatMap((pod) =>
        declaredPorts(pod).flatMap((declared) =>
          declared.name === '' ? [] : [`${declared.name}/${declared.protocol}`],
        ),
      );
      const hint = suggestion(`${port.name}/${protocol}`, [...new Set(names)]);
      const who = each.direction === 'ingress' ? 'pod that the policy selects' : 'pod that the rule leads to';
      return inPolicy(each.policy, source, {
        severity: 'warning',
        message: `${ruleText(each.direction, each.rule)}: no ${who} has a port named ${port.name}/${protocol}`,
        why: 'a named port is looked up on the destination pod, by name and protocol; where it is not found, nothing is allowed',
        fix: `name a containerPort of the pods so, or write the number${hint}`,
      });
    });
  });
}

interface Translation {
  readonly service: Service;
  readonly pod: Pod;
  readonly target: Port;
}

/** The Services of the pod that have this port and lead to another one. */
function leadingElsewhere(
  services: readonly Service[],
  pod: Pod,
  asked: { readonly protocol: Protocol; readonly port: Port },
): Translation[] {
  return services
    .filter(
      ({ namespace, selector }) =>
        namespace === pod.namespace && selector.kind === 'pods' && selects(selector.selector, pod.labels),
    )
    .flatMap((service) =>
      service.ports.flatMap(({ protocol, port, target: to }) => {
        if (port !== asked.port || protocol !== asked.protocol) return [];
        const target = typeof to === 'string' ? namedPort(pod, to, protocol) : to;
        return target === undefined || target === port ? [] : [{ service, pod, target }];
      }),
    );
}

function portItems({ ports }: Rule): readonly PolicyPort[] {
  return ports.kind === 'any' ? [] : ports.ports;
}

function declares(pod: Pod, protocol: Protocol, port: Port): boolean {
  return declaredPorts(pod).some((declared) => declared.protocol === protocol && declared.port === port);
}

function includes({ protocol, port }: PolicyPort, wanted: Protocol, number: Port): boolean {
  if (protocol !== wanted || port.kind === 'named') return false;
  return port.kind === 'any' || (port.first <= number && number <= port.last);
}

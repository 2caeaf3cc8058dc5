import { endpointOf, portOf } from './input.ts';
import { FROM, LAB, output, PORT, TO } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly lab: string | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `explain`: why a running lab would let a connection pass, or not. */
export const EXPLAIN: Verb<Options> = {
  command: 'explain',
  describe: 'Say why a running lab allows or denies a connection',
  examples: [
    ['explain --from default/client --to default/web --port 80', 'Names the policies and rules, with files and lines'],
    ['explain --from default/client --to kube-system/svc/kube-dns --port 53/UDP', 'Through a Service'],
  ],
  options: (yargs) =>
    yargs.options({
      from: { ...FROM, demandOption: true },
      to: { ...TO, demandOption: true },
      port: { ...PORT, demandOption: true },
      lab: LAB,
      o: output('text', 'json'),
    }),
  run: async ({ from, to, port: portText, lab, o }, terminal) => {
    endpointOf(from);
    endpointOf(to);
    const { protocol, port } = portOf(portText);
    const { connectLab } = await import('../lab/connect.ts');
    const { explanationText } = await import('../report/verdict-text.ts');
    const client = await connectLab(lab);
    const asked = { from, to, protocol, port };
    const explanation = await client.explain(asked);
    if (o === 'json') await terminal.printJson({ ...asked, ...explanation, from, to });
    else await terminal.print(explanationText(asked, explanation, terminal.color));
    return explanation.verdict === 'allow' ? 0 : 1;
  },
};

import type { Drawing, Shape } from './drawing.ts';

const STYLES: Readonly<Record<Shape['style'], string>> = {
  isolated: 'shape=box, style="rounded,filled", fillcolor="#d3f0e0", color="#2f9e62"',
  open: 'shape=box, style="rounded,filled,dashed", fillcolor="#ffffff", color="#868e96"',
  sender: 'shape=box, style="rounded,filled", fillcolor="#d3f0e0", color="#2f9e62", penwidth=3',
  openSender: 'shape=box, style="rounded,filled,dashed", fillcolor="#ffffff", color="#868e96", penwidth=3',
  everyone: 'shape=ellipse, style=filled, fillcolor="#e7f1fb", color="#4a90d9"',
  outside: 'shape=box, style=filled, fillcolor="#fff3d6", color="#d99a1b"',
  hub: 'shape=plain, fontcolor="#495057", fontsize=9',
};

/** The drawing in Graphviz' language. Source: https://graphviz.org/doc/info/lang.html */
export function dotText({ boxes, shapes, arrows, legend }: Drawing): string {
  return [
    'digraph connections {',
    '  rankdir=LR; nodesep=0.2; ranksep=1.0; pad=0.2; fontname="Helvetica"; fontsize=11; labelloc=b',
    `  label=${quoted(legend.join('\n'))}`,
    '  node [fontname="Helvetica", fontsize=11, margin="0.12,0.06", height=0.3]',
    '  edge [fontname="Helvetica", fontsize=9, color="#495057", fontcolor="#495057", arrowsize=0.7]',
    ...boxes.flatMap(({ id, label, shapes: inside }) => [
      `  subgraph cluster_${id} {`,
      `    label=${quoted(label)}; style="rounded,filled"; fillcolor="#f8f9fa"; color="#adb5bd"; fontsize=13; labelloc=t`,
      ...inside.map((shape) => `    ${shapeText(shape)}`),
      '  }',
    ]),
    ...shapes.map((shape) => `  ${shapeText(shape)}`),
    ...arrows.map(({ from, to, label, isDotted, isTwoWay }) => {
      const style = `${isDotted ? ', style=dotted' : ''}${isTwoWay ? ', dir=both' : ''}`;
      return `  ${from} -> ${to} [label=${quoted(label)}${style}]`;
    }),
    '}',
  ].join('\n');
}

function shapeText({ id, label, style }: Shape): string {
  return `${id} [label=${quoted(label)}, ${STYLES[style]}]`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

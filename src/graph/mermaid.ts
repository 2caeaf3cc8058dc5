import type { Arrow, Drawing, Shape } from './drawing.ts';

const CLASSES: Readonly<Record<Shape['style'] | 'legend', string>> = {
  isolated: 'fill:#d3f0e0,stroke:#2f9e62',
  open: 'fill:#fff,stroke:#868e96,stroke-dasharray:4 3',
  sender: 'fill:#d3f0e0,stroke:#2f9e62,stroke-width:3px',
  openSender: 'fill:#fff,stroke:#868e96,stroke-dasharray:4 3,stroke-width:3px',
  everyone: 'fill:#e7f1fb,stroke:#4a90d9',
  outside: 'fill:#fff3d6,stroke:#d99a1b',
  hub: 'fill:#fff,stroke:none,color:#495057',
  legend: 'fill:none,stroke:none,text-align:left',
};

/** The drawing as a Mermaid flowchart, which Markdown on GitHub and GitLab shows. Source: https://mermaid.js.org/syntax/flowchart.html */
export function mermaidText({ boxes, shapes, arrows, legend }: Drawing): string {
  return [
    'flowchart LR',
    ...Object.entries(CLASSES).map(([name, style]) => `  classDef ${name} ${style}`),
    ...(legend.length > 0 ? [`  legend[${quoted(legend.join('<br>'))}]:::legend`] : []),
    ...boxes.flatMap(({ id, label, shapes: inside }) => [
      `  subgraph ${id} [${quoted(label)}]`,
      ...inside.map((shape) => `    ${shapeText(shape)}`),
      '  end',
    ]),
    ...shapes.map((shape) => `  ${shapeText(shape)}`),
    ...arrows.map((arrow) => `  ${arrowText(arrow)}`),
  ].join('\n');
}

function arrowText({ from, to, label, isDotted, isTwoWay }: Arrow): string {
  const line = `${isTwoWay ? '<' : ''}${isDotted ? '-.->' : '-->'}`;
  return `${from} ${line}${label === '' ? '' : `|${quoted(label)}|`} ${to}`;
}

function shapeText({ id, label, style }: Shape): string {
  return `${id}[${quoted(label)}]:::${style}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '#quot;')}"`;
}

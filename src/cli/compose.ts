import { IMAGES, type BackendChoice } from './backend.ts';
import { labSpec, LAB_SPEC, type LabChoice } from './lab-spec.ts';
import { warn } from './manifests.ts';
import type { Verb } from './verb.ts';

type Options = LabChoice & Pick<BackendChoice, 'images'>;

/** `compose`: a lab as a compose file. */
export const COMPOSE: Verb<Options> = {
  command: 'compose [lab]',
  describe: 'Write a lab as a compose file, which runs by itself',
  examples: [
    ['compose default-deny > compose.yaml', 'Then: docker compose up --wait'],
    ['compose -f ./manifests --images real', "The manifests' own images and commands, unchanged"],
  ],
  options: (yargs) =>
    yargs
      .positional('lab', { type: 'string', describe: 'Shipped lab, or a folder with a lab.yaml' })
      .options({
        ...LAB_SPEC,
        ...IMAGES,
      })
      .conflicts('f', 'lab'),
  run: async ({ images, ...choice }, terminal) => {
    const spec = await labSpec(choice);
    const { composeFile } = await import('../lab/compose/compose-file.ts');
    const { text, warnings } = await composeFile(spec, images ?? 'lab');
    warn(warnings, terminal);
    await terminal.write(text);
    return 0;
  },
};

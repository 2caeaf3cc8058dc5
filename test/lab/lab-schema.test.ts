import { format } from 'prettier';
import { expect, test } from 'vitest';
import { labJsonSchema } from '../../src/lab/lab-schema.ts';

test('labs/lab.schema.json is what the schema says (vitest -u writes it anew)', async () => {
  const text = await format(JSON.stringify(labJsonSchema()), { parser: 'json', printWidth: 120 });
  await expect(text).toMatchFileSnapshot('../../labs/lab.schema.json');
});

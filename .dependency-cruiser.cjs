// The arrows of the design: which folder of src may import which. Anything not listed is an error.
const mayImport = {
  net: [],
  model: ['net'],
  manifest: ['model', 'net'],
  cni: ['manifest', 'model', 'net'],
  expect: ['lab', 'report', 'table', 'manifest', 'model', 'net'],
  replay: ['report', 'table', 'flows', 'model', 'net'],
  graph: ['expect', 'diff', 'report', 'table', 'model', 'net'],
  diff: ['report', 'table', 'model', 'net'],
  why: ['diff', 'report', 'table', 'flows', 'manifest', 'model', 'net'],
  lint: ['report', 'manifest', 'model', 'net'],
  reference: ['model', 'net'],
  table: ['model', 'net'],
  dataplane: ['table', 'flows', 'model', 'net'],
  flows: ['model', 'net'],
  dns: ['model', 'net'],
  apiserver: ['manifest', 'model', 'net'],
  lab: ['cni', 'apiserver', 'dns', 'report', 'flows', 'dataplane', 'table', 'manifest', 'model', 'net'],
  kube: [],
  container: [
    'cni',
    'kube',
    'lab',
    'apiserver',
    'dns',
    'report',
    'flows',
    'dataplane',
    'table',
    'manifest',
    'model',
    'net',
  ],
  report: ['flows', 'model', 'net'],
  library: ['table', 'manifest', 'model', 'net'],
  bench: ['table', 'reference', 'dataplane', 'model', 'net'],
};
const pure = ['net', 'model', 'manifest', 'cni', 'diff', 'why', 'lint', 'replay', 'reference', 'table', 'report'];

const arrows = Object.entries(mayImport).map(([folder, others]) => ({
  name: `${folder}-imports-${others.length === 0 ? 'nothing' : 'only-' + others.join('-')}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...others].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'folder-without-arrows',
      comment: 'A new folder of src gets a line in mayImport.',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(cli|${Object.keys(mayImport).join('|')})/` },
      to: {},
    },
    {
      name: 'pure-folders-use-no-node',
      severity: 'error',
      from: { path: `^src/(${pure.join('|')})/`, pathNot: '^src/manifest/read-files\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-tests-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-dev-dependencies-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/' },
      to: {},
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};

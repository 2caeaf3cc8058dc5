import tseslint from 'typescript-eslint';

// No Node built-ins, no clock, no randomness: callers pass these in. dependency-cruiser watches the imports.
const PURE = ['net', 'model', 'manifest', 'diff', 'lint', 'replay', 'reference', 'table', 'report'].map(
  (folder) => `src/${folder}/**/*.ts`,
);
const IMPURE_GLOBALS = [
  ...['process', 'Buffer', 'performance', 'crypto', 'fetch', 'console'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
];

export default tseslint.config(
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }], // '' is absent
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: 'error',
      'no-param-reassign': 'error',
      'max-params': ['error', 3],
    },
  },
  {
    // The hot path makes no objects: numbers and offsets are passed one by one, to system calls too.
    files: ['src/table/**/*.ts', 'src/net/packet.ts', 'src/dataplane/**/*.ts'],
    rules: { 'max-params': ['error', 6] },
  },
  {
    // The columns of a table of cases.
    files: ['test/**/*.ts'],
    rules: { 'max-params': 'off' },
  },
  {
    files: PURE,
    ignores: ['src/manifest/read-files.ts'],
    rules: {
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random' },
        { object: 'Date', property: 'now' },
      ],
    },
  },
);

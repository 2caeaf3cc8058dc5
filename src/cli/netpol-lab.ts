#!/usr/bin/env node
// No static imports: too old a Node must reach the message before it reads a module that it cannot run.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 22)) {
  (await import('node:module')).enableCompileCache(); // a third off the start
  const [first, ...rest] = process.argv.slice(2);
  if (first === 'container') await (await import('./container.ts')).runContainer(rest);
  else await (await import('./main.ts')).main(process.argv.slice(2));
} else {
  process.stderr.write(
    `netpol-lab needs Node.js 22.22 or newer; this is v${process.versions.node}. ` +
      'Install a newer one from https://nodejs.org; in a clone, `npm start` and `npx netpol-lab` bring their own.\n',
  );
  process.exitCode = 3;
}

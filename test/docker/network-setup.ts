import { checked, libc, openNamespace } from '../../src/dataplane/libc.ts';
import { ENGINE_NETWORK } from './engine.ts';

const CLONE_NEWNET = 0x40000000;

// What containers publish on 127.0.0.1 is there in the engine's network. Sockets and child processes of a test file are
// made by its process's main thread, so it goes there for good.
if (ENGINE_NETWORK !== undefined) checked('setns', libc.setns(openNamespace(ENGINE_NETWORK), CLONE_NEWNET));

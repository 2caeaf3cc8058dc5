/** Where an object was written down: a file's path as the user gave it, and a line from 1. */
export interface Source {
  readonly file: string;
  readonly line: number;
}

/**
 * A text with each `$(NAME)` as the value of that name; one without a value stays as it is written, and `$$` is a `$`.
 * Source: core/v1 Container.command and EnvVar.value.
 */
export function expanded(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (written, name?: string) =>
    name === undefined ? '$' : (values.get(name) ?? written),
  );
}

/** Files of `NAME=value` lines that a shell sources (citadel facts 4): sidecar.env and cluster.env. */

export interface Assignment {
  readonly variable: string;
  readonly value: string;
  /** 0-based. */
  readonly line: number;
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** All assignments in order; comments and other lines are passed over. Quotes around a value are taken off. */
export function assignments(text: string): readonly Assignment[] {
  return text.split('\n').flatMap((content, line) => {
    const match = assignment.exec(content);
    return match === null ? [] : [{ variable: match[1] ?? '', value: unquoted((match[2] ?? '').trim()), line }];
  });
}

/** Value of the last assignment, which is the one a shell ends with. */
export function valueOf(text: string, variable: string): string | undefined {
  return assignments(text).findLast((one) => one.variable === variable)?.value;
}

/**
 * The text with the variables set: an assignment that is there is changed in its place (further ones of the same variable go away),
 * others are appended; everything else stays byte for byte. Setting twice changes nothing.
 */
export function withVariables(text: string, variables: ReadonlyMap<string, string>): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const last = new Map(assignments(text).map((one) => [one.variable, one.line]));
  const kept = lines.flatMap((content, index) => {
    const variable = assignment.exec(content)?.[1];
    const value = variable === undefined ? undefined : variables.get(variable);
    if (variable === undefined || value === undefined) return [content];
    if (last.get(variable) !== index) return [];
    return [valueOf(content, variable) === value ? content : `${variable}=${value}`];
  });
  const missing = [...variables].filter(([variable]) => !last.has(variable)).map(([variable, value]) => `${variable}=${value}`);
  return [...kept, ...missing].map((line) => `${line}\n`).join('');
}

function unquoted(value: string): string {
  const match = /^(["'])(.*)\1$/.exec(value);
  return match === null ? value : (match[2] ?? '');
}

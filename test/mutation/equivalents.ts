/** Mutants that do what the machine does, by machine and name, each with the reason. */

export const equivalents: Readonly<Record<string, Readonly<Record<string, string>>>> = {};

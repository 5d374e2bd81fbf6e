/** What tells outcomes apart: a tree of questions to bounded variables, learnt from every case. */

export type Features = Readonly<Record<string, number>>;

export interface Case {
  readonly features: Features;
  readonly outcome: string;
}

/** `outcomes`: several where no question tells them apart. */
export type Tree =
  | { readonly kind: 'leaf'; readonly outcomes: readonly string[] }
  | {
      readonly kind: 'question';
      readonly name: string;
      readonly value: number;
      readonly yes: Tree;
      readonly no: Tree;
    };

/** A tree that is right in every case it was given, as small as greed finds it. */
export function treeOf(cases: readonly Case[]): Tree {
  const seen = new Map<string, Case>();
  for (const one of cases) seen.set(`${JSON.stringify(one.features)} ${one.outcome}`, one);
  return grown([...seen.values()]);
}

function grown(cases: readonly Case[]): Tree {
  const outcomes = [...new Set(cases.map(({ outcome }) => outcome))].sort();
  if (outcomes.length <= 1) return { kind: 'leaf', outcomes };
  const question = bestQuestion(cases);
  if (question === undefined) return { kind: 'leaf', outcomes };
  const { name, value } = question;
  const isYes = ({ features }: Case): boolean => features[name] === value;
  const yes = grown(cases.filter(isYes));
  const no = grown(cases.filter((one) => !isYes(one)));
  return { kind: 'question', name, value, yes, no };
}

interface Question {
  readonly name: string;
  readonly value: number;
}

/** The question behind which the outcomes are least mixed; undefined: all cases look alike. */
function bestQuestion(cases: readonly Case[]): Question | undefined {
  let best: { question: Question; mixed: number } | undefined;
  for (const name of Object.keys(cases[0]!.features)) {
    const values = [...new Set(cases.map(({ features }) => features[name]!))].sort((a, b) => a - b);
    if (values.length < 2) continue;
    // Of two values one question is enough; 0 is the plainest to ask for.
    for (const value of values.length === 2 ? values.slice(0, 1) : values) {
      const yes = cases.filter(({ features }) => features[name] === value);
      const no = cases.filter(({ features }) => features[name] !== value);
      const mixed = mixtureOf(yes) + mixtureOf(no);
      if (best === undefined || mixed < best.mixed) best = { question: { name, value }, mixed };
    }
  }
  return best?.question;
}

/** Entropy times the number of cases. */
function mixtureOf(cases: readonly Case[]): number {
  const counts = new Map<string, number>();
  for (const { outcome } of cases) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  let sum = 0;
  for (const count of counts.values()) sum -= count * Math.log2(count / cases.length);
  return sum;
}

/** When this outcome is possible, and whether another one is possible then as well. */
export function conditionFor(
  tree: Tree,
  outcome: string,
  ask: (name: string, value: number) => string,
): string {
  const found = pathsTo(tree, outcome, ask);
  if (found === 'always') return 'true';
  return found.length === 0 ? 'false' : found.join(' || ');
}

function pathsTo(
  tree: Tree,
  outcome: string,
  ask: (name: string, value: number) => string,
): 'always' | string[] {
  if (tree.kind === 'leaf') return tree.outcomes.includes(outcome) ? 'always' : [];
  const question = ask(tree.name, tree.value);
  const under = (below: Tree, condition: string): string[] => {
    const found = pathsTo(below, outcome, ask);
    if (found === 'always') return [condition];
    const [only, ...others] = found;
    if (only === undefined) return [];
    return others.length === 0
      ? [`${condition} && ${only}`]
      : [`${condition} && (${found.join(' || ')})`];
  };
  const yes = under(tree.yes, question);
  const no = under(tree.no, `!(${question})`);
  return [...yes, ...no];
}

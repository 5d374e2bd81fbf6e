/**
 * Mailbox, virtual UAs, push and focus as a model for Spin. States, transitions and their order are
 * those of the definitions. Guards, changes and effects are worked out: each is asked in every
 * situation of a small world, and a tree of questions to the bounded variables of `promela-table.ts`
 * stands for it. What those variables cannot tell is left to chance in the model, and said.
 */

import type { Way } from '../machines/compiled.js';
import { isOpen, moveBy, nameOf, walk, type Situation, type WalkedActor } from './abstraction.js';
import { conditionFor, treeOf, type Features, type Tree } from './decision-tree.js';
import { networkSymbols, statementsOf } from './promela-effects.js';
import { actorTables, type ActorName } from './promela-table.js';
import type { Definition } from '../machines/index.js';
import type { Scenario } from './promela-scenarios.js';
import { promelaModel } from './promela-model.js';

export interface PromelaExport {
  readonly text: string;
  /** Guards and transitions that the variables cannot decide. */
  readonly inexact: readonly string[];
  /** Situations that were walked through, by actor. */
  readonly contexts: Readonly<Record<string, number>>;
}

export interface PromelaOptions {
  readonly scenario: Scenario;
  /** Definitions that stand in for those of the product. */
  readonly replaced?: Partial<Record<ActorName, Definition>>;
}

export function toPromela({ scenario, replaced = {} }: PromelaOptions): PromelaExport {
  const actors = walk(actorTables(scenario, replaced)).map((walked) =>
    new ActorText(walked).write(),
  );
  const statements = actors.flatMap((actor) => [...actor.statements]);
  const symbols = new Set(actors.flatMap((actor) => [...actor.symbols]));
  for (const statement of statements) {
    const [, symbol] = /^tells![^,]*,[^,]*,(\w+),/.exec(statement) ?? [];
    if (symbol !== undefined) symbols.add(symbol);
  }
  const inexact = actors.flatMap((actor) => actor.inexact);
  return {
    text: promelaModel({
      scenario,
      inexact,
      actors,
      symbols: [...symbols].sort(),
      heard: networkSymbols(statements),
      timers: timersOf(statements),
    }),
    inexact,
    contexts: Object.fromEntries(actors.map(({ name, contexts }) => [name, contexts])),
  };
}

function timersOf(statements: readonly string[]): string[] {
  const names = statements.flatMap(
    (statement) => /^((?:timer|alarm)_\w+)/.exec(statement)?.[1] ?? [],
  );
  return [...new Set(names)].sort();
}

export interface ActorPromela {
  readonly name: ActorName;
  readonly places: readonly string[];
  readonly initial: string;
  readonly variables: Features;
  /** Inlines `<name>_step` and `<name>_restart`. */
  readonly text: string;
  readonly statements: ReadonlySet<string>;
  readonly symbols: ReadonlySet<string>;
  readonly inexact: readonly string[];
  readonly contexts: number;
}

class ActorText {
  readonly #walked: WalkedActor;
  readonly #name: ActorName;
  readonly #unborn: Features;
  readonly #statements = new Set<string>();
  readonly #inexact: string[] = [];
  readonly #lines: string[] = [];

  constructor(walked: WalkedActor) {
    this.#walked = walked;
    this.#name = walked.table.name;
    this.#unborn = walked.table.variables(walked.table.definition.unborn.context as never);
  }

  write(): ActorPromela {
    const { told, places, contexts, table } = this.#walked;
    this.#writeStep();
    this.#writeRestart();
    return {
      name: this.#name,
      places: [...places.keys()].map((place) => this.#place(place)),
      initial: this.#place(String(table.definition.unborn.value)),
      variables: this.#unborn,
      text: this.#lines.join('\n'),
      statements: this.#statements,
      symbols: new Set([...told.values()].flatMap((symbols) => [...symbols.keys()])),
      inexact: this.#inexact,
      contexts,
    };
  }

  /** An inline for what is done with a symbol: Spin bounds the length of one. */
  #writeStep(): void {
    const name = this.#name;
    const { told, eventless, places } = this.#walked;
    const absent = [...places.keys()].filter(
      (place) => place === 'absent' || places.get(place)?.status === 'done',
    );
    const born = new Set(told.get('absent')?.keys());
    const step: string[] = [];
    const symbols = new Set([...told.values()].flatMap((found) => [...found.keys()]));
    for (const symbol of symbols) {
      const branches = this.#branchesOf(symbol);
      if (branches.size === 0) continue;
      step.push(`  :: event == ${symbol} ->`, '    if');
      for (const [inline, at] of branches) {
        step.push(`    :: ${at.map((place) => this.#at(place)).join(' || ')} -> ${inline}()`);
      }
      const isBirth = (told.get('absent')?.get(symbol) ?? []).some(({ told: { event } }) =>
        places.get('absent')?.on.has((event as { type: string }).type),
      );
      step.push(isBirth || !born.has(symbol) ? '    :: else -> skip' : '    :: else -> missed = 1');
      step.push('    fi');
    }
    const settle: string[] = [];
    for (const [place, situations] of eventless) {
      const ways = places.get(place)!.always;
      const inline = `${this.#place(place)}_always`;
      this.#line(0, `inline ${inline}() {`);
      this.#writeWays(1, { place, symbol: 'always', ways, situations, otherwise: 'stays = 1' });
      this.#line(0, '}');
      settle.push(`  :: !stays && ${this.#at(place)} -> ${inline}()`);
    }
    const isAbsent = absent.map((place) => this.#at(place)).join(' || ');
    for (const line of [
      `inline ${name}_step() {`,
      ...['  missed = 0;', '  if', ...step, '  :: else -> missed = 1', '  fi;'],
      // Nobody is there: whoever told it hears so.
      ...(isAbsent === ''
        ? []
        : ['  if', `  :: missed && (${isAbsent}) -> undelivered()`, '  :: else -> skip', '  fi;']),
      ...['  missed = 0;', '  stays = 0;', '  do', ...settle, '  :: else -> break', '  od;'],
      ...['  stays = 0', '}'],
    ]) {
      this.#line(0, line);
    }
  }

  /** Places where the same is done with a symbol, by the inline that does it. */
  #branchesOf(symbol: string): Map<string, string[]> {
    const { told, places } = this.#walked;
    const inlines = new Map<string, string>();
    const branches = new Map<string, string[]>();
    for (const [place, symbols] of told) {
      const situations = symbols.get(symbol);
      if (situations === undefined || places.get(place)?.status === 'done') continue;
      const type = (situations[0]!.told.event as { type: string }).type;
      const ways = places.get(place)!.on.get(type) ?? [];
      if (ways.length === 0) continue;
      const from = this.#lines.length;
      this.#writeWays(1, { place, symbol, ways, situations, otherwise: 'skip' });
      const body = this.#lines.splice(from).join('\n');
      const inline = inlines.get(body) ?? `${this.#place(place)}_${symbol}`;
      if (!inlines.has(body)) {
        inlines.set(body, inline);
        this.#lines.push(`inline ${inline}() {`, body, '}');
      }
      branches.set(inline, [...(branches.get(inline) ?? []), place]);
    }
    return branches;
  }

  #writeWays(depth: number, given: Ways): void {
    const { place, symbol, ways, situations, otherwise } = given;
    const [way, ...others] = ways;
    if (way === undefined || situations.length === 0) {
      this.#line(depth, otherwise);
      return;
    }
    const open = situations.filter(({ told }) => isOpen(way, told));
    const rest = situations.filter(({ told }) => !isOpen(way, told));
    const guard = this.#guardName(way);
    if (open.length === 0) {
      this.#line(depth, `/* ${guard}: never */`);
      this.#writeWays(depth, { ...given, ways: others });
      return;
    }
    if (rest.length === 0) {
      if (guard !== '') this.#line(depth, `/* ${guard}: always */`);
      this.#writeMoves(depth, { place, symbol, way, situations: open });
      return;
    }
    const tree = treeOf([
      ...open.map(({ features }) => ({ features, outcome: 'open' })),
      ...rest.map(({ features }) => ({ features, outcome: 'shut' })),
    ]);
    if (isMixed(tree)) {
      this.#inexact.push(`${this.#name} ${place} ${symbol}: guard ${guard}`);
      this.#line(depth, `/* ${guard}: the variables cannot tell; left to chance */`);
    }
    this.#line(depth, 'if');
    this.#line(depth, `:: ${conditionFor(tree, 'open', this.#ask)} -> /* ${guard} */`);
    this.#writeMoves(depth + 1, { place, symbol, way, situations: open });
    this.#line(depth, `:: ${conditionFor(tree, 'shut', this.#ask)} ->`);
    this.#writeWays(depth + 1, { ...given, ways: others, situations: rest });
    this.#line(depth, 'fi');
  }

  /** What is done by one way: a tree whose leaves are statements. */
  #writeMoves(depth: number, given: Moves): void {
    const { place, symbol, way, situations } = given;
    const cases = situations.map(({ told, features }) => ({
      features,
      outcome: this.#statementsBy(place, way, told).join('; '),
    }));
    const tree = treeOf(cases);
    if (isMixed(tree)) this.#inexact.push(`${this.#name} ${place} ${symbol}: what is done`);
    this.#writeTree(depth, tree);
  }

  #writeTree(depth: number, tree: Tree): void {
    if (tree.kind === 'leaf') {
      const [only, ...others] = tree.outcomes;
      if (others.length === 0) {
        this.#line(depth, only === undefined || only === '' ? 'skip' : only);
        return;
      }
      this.#line(depth, '/* the variables cannot tell; left to chance */');
      this.#line(depth, 'if');
      for (const outcome of tree.outcomes)
        this.#line(depth, `:: ${outcome === '' ? 'skip' : outcome}`);
      this.#line(depth, 'fi');
      return;
    }
    this.#line(depth, 'if');
    this.#line(depth, `:: ${this.#ask(tree.name, tree.value)} ->`);
    this.#writeTree(depth + 1, tree.yes);
    this.#line(depth, ':: else ->');
    this.#writeTree(depth + 1, tree.no);
    this.#line(depth, 'fi');
  }

  #statementsBy(place: string, way: Way, told: Situation['told']): string[] {
    const { table, places } = this.#walked;
    const from = places.get(place)!;
    const move = moveBy(way, told, from);
    const before = table.variables(told.context as never);
    const hasStopped = move.effects.some(({ type }) => type === 'stop') && this.#name !== 'ua';
    const after = hasStopped ? this.#unborn : table.variables(move.context as never);
    // A session that is over has all variables of one that is not there yet, whatever they were.
    const changed = Object.entries(after).filter(
      ([name, value]) => hasStopped || before[name] !== value,
    );
    const to = hasStopped ? String(table.definition.unborn.value) : nameOf(move.to);
    const statements = [
      ...move.effects.flatMap((effect) => statementsOf(this.#name, effect)),
      ...changed.map(([name, value]) => `${this.#variable(name)} = ${value}`),
      ...(to === place ? [] : [`${this.#variable('place')} = ${this.#place(to)}`]),
    ];
    for (const statement of statements) this.#statements.add(statement);
    return statements;
  }

  #writeRestart(): void {
    const { restarts, table } = this.#walked;
    this.#line(0, `inline ${this.#name}_restart() {`);
    this.#line(1, 'if');
    for (const [place, found] of restarts) {
      const cases = found.map(({ features, revived }) => {
        const stays = revived === undefined && this.#name === 'ua';
        const after = stays
          ? features
          : table.variables((revived ?? table.definition.unborn).context as never);
        const value = revived?.value ?? table.definition.unborn.value;
        const to = stays ? place : nameOf({ value } as never);
        const changed = Object.entries(after).filter(([name, is]) => features[name] !== is);
        const statements = [
          ...changed.map(([name, is]) => `${this.#variable(name)} = ${is}`),
          ...(to === place ? [] : [`${this.#variable('place')} = ${this.#place(to)}`]),
        ];
        return { features, outcome: statements.join('; ') };
      });
      this.#line(1, `:: ${this.#at(place)} ->`);
      this.#writeTree(2, treeOf(cases));
    }
    this.#line(1, ':: else -> skip');
    this.#line(1, 'fi');
    this.#line(0, '}');
  }

  #guardName({ guard }: Way): string {
    if (guard === undefined) return '';
    const { guards } = this.#walked.table.definition.machine.implementations;
    const found = Object.entries(guards).find(([, implementation]) => implementation === guard);
    return found?.[0] ?? 'a guard';
  }

  readonly #ask = (name: string, value: number): string => {
    const isOwn = name !== 'late' && name !== 'argument';
    return `${isOwn ? this.#variable(name) : name} == ${value}`;
  };

  #variable(name: string): string {
    return this.#name === 'ua' ? `ua_${name}[me - ua]` : `${this.#name}_${name}`;
  }

  #at(place: string): string {
    return `${this.#variable('place')} == ${this.#place(place)}`;
  }

  #place(place: string): string {
    return `${this.#name}_in_${place.replaceAll('.', '_')}`;
  }

  #line(depth: number, text: string): void {
    this.#lines.push(`${'  '.repeat(depth)}${text}`);
  }
}

interface Ways {
  readonly place: string;
  readonly symbol: string;
  readonly ways: readonly Way[];
  readonly situations: readonly Situation[];
  readonly otherwise: 'skip' | 'stays = 1';
}

interface Moves {
  readonly place: string;
  readonly symbol: string;
  readonly way: Way;
  readonly situations: readonly Situation[];
}

function isMixed(tree: Tree): boolean {
  if (tree.kind === 'leaf') return tree.outcomes.length > 1;
  return isMixed(tree.yes) || isMixed(tree.no);
}

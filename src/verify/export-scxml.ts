/**
 * A machine as SCXML (W3C, 2015-09-01), and SCXML of this form as a machine. Guards are functions
 * of the host that `cond` calls, changes are functions that `script` calls, effects are sent.
 */

import { SaxesParser } from 'saxes';
import {
  statesOf,
  type ActionDescription,
  type MachineDescription,
  type StateDescription,
  type TransitionDescription,
} from '../machines/index.js';
import { VerifyError } from './verify-error.js';

const scxmlNamespace = 'http://www.w3.org/2005/07/scxml';
/** What holds in every state stands in a state around all of them. */
const around = '_all';
const effectProcessor = 'urn:poste-restante:effect';

export function toScxml(machine: MachineDescription): string {
  const { name, initial } = machine;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    ...caveats(machine).map((text) => `<!-- ${text} -->`),
    `<scxml xmlns="${scxmlNamespace}" version="1.0" name="${name}" datamodel="ecmascript"` +
      ` initial="${around}">`,
    `  <state id="${around}" initial="${initial}">`,
    ...machine.transitions.flatMap((transition) => transitionLines(transition, '    ')),
    ...machine.states.flatMap((state) => stateLines(state, '    ')),
    '  </state>',
    '</scxml>',
  ];
  return `${lines.join('\n')}\n`;
}

/** What SCXML understands otherwise than the machine does. */
function caveats(machine: MachineDescription): string[] {
  const all = [machine, ...statesOf(machine)].flatMap(({ transitions }) => transitions);
  const events = [...new Set(all.flatMap(({ event }) => event ?? []))];
  return events.flatMap((event) =>
    events
      .filter((other) => other.startsWith(`${event}.`))
      .map((other) => `SCXML takes "${event}" for "${other}" as well; the machine does not`),
  );
}

function stateLines(state: StateDescription, indent: string): string[] {
  const element = state.type === 'final' ? 'final' : 'state';
  const initial = state.initial === undefined ? '' : ` initial="${state.initial}"`;
  const inner = [
    ...blockLines('onentry', state.entry, `${indent}  `),
    ...blockLines('onexit', state.exit, `${indent}  `),
    ...state.transitions.flatMap((transition) => transitionLines(transition, `${indent}  `)),
    ...state.states.flatMap((below) => stateLines(below, `${indent}  `)),
  ];
  const open = `${indent}<${element} id="${state.path}"${initial}`;
  return inner.length === 0 ? [`${open}/>`] : [`${open}>`, ...inner, `${indent}</${element}>`];
}

function transitionLines(transition: TransitionDescription, indent: string): string[] {
  const { event, guard, actions, target } = transition;
  const attributes = [
    ...(event === undefined ? [] : [`event="${event}"`]),
    ...(guard === undefined ? [] : [`cond="${conditionOf(guard)}"`]),
    // As in XState: a compound state is not left on the way to a state inside it.
    ...(target === undefined ? [] : [`type="internal" target="${target}"`]),
  ];
  const open = `${indent}<${['transition', ...attributes].join(' ')}`;
  if (actions.length === 0) return [`${open}/>`];
  return [`${open}>`, ...actionLines(actions, `${indent}  `), `${indent}</transition>`];
}

function conditionOf(guard: string): string {
  const [, name = guard, values] = /^(.*?)\((.*)\)$/.exec(guard) ?? [];
  return values === undefined ? `${name}(_event)` : `${name}(_event, '${values}')`;
}

function blockLines(
  element: string,
  actions: readonly ActionDescription[],
  indent: string,
): string[] {
  if (actions.length === 0) return [];
  return [
    `${indent}<${element}>`,
    ...actionLines(actions, `${indent}  `),
    `${indent}</${element}>`,
  ];
}

function actionLines(actions: readonly ActionDescription[], indent: string): string[] {
  return actions.map(({ kind, name }) =>
    kind === 'effect'
      ? `${indent}<send type="${effectProcessor}" event="${name}"/>`
      : `${indent}<script>${name}(_event);</script>`,
  );
}

// --------------------------------------------------------------------------------- reading

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** The machine that `toScxml` has written. Throws for other SCXML. */
export function fromScxml(text: string): MachineDescription {
  const root = treeOf(text);
  const [outermost] = root.children;
  if (root.name !== 'scxml' || outermost?.attributes['id'] !== around) throw unknownForm(root);
  return {
    name: root.attributes['name'] ?? '',
    initial: outermost.attributes['initial'] ?? '',
    transitions: childrenOf(outermost, 'transition').map(readTransition),
    states: statesIn(outermost),
  };
}

function treeOf(text: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('opentag', ({ local, uri, attributes }) => {
    const values = Object.values(attributes).map(({ name, value }) => [name, value] as const);
    const element = { name: local, attributes: Object.fromEntries(values), children: [], text: '' };
    if (uri !== scxmlNamespace) throw unknownForm(element);
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on('text', (characters) => (open.at(-1)!.text += characters));
  parser.on('closetag', () => open.pop());
  parser.write(text).close();
  return root.children[0]!;
}

function statesIn(element: Element): StateDescription[] {
  return element.children.flatMap((child) =>
    child.name === 'state' || child.name === 'final' ? [readState(child)] : [],
  );
}

function readState(element: Element): StateDescription {
  const { id = '', initial } = element.attributes;
  const states = statesIn(element);
  const compound = states.length > 0 ? 'compound' : 'atomic';
  return {
    path: id,
    type: element.name === 'final' ? 'final' : compound,
    ...(initial !== undefined && { initial }),
    entry: childrenOf(element, 'onentry').flatMap(readActions),
    exit: childrenOf(element, 'onexit').flatMap(readActions),
    transitions: childrenOf(element, 'transition').map(readTransition),
    states,
  };
}

function readTransition(element: Element): TransitionDescription {
  const { event, cond, target } = element.attributes;
  const call = cond === undefined ? undefined : /^(.*?)\(_event(?:, '(.*)')?\)$/.exec(cond);
  if (call === null) throw unknownForm(element);
  return {
    ...(event !== undefined && { event }),
    ...(call && { guard: call[2] === undefined ? call[1]! : `${call[1]!}(${call[2]})` }),
    actions: readActions(element),
    ...(target !== undefined && { target }),
  };
}

function readActions(element: Element): ActionDescription[] {
  return element.children.map((child) => {
    if (child.name === 'send') return { kind: 'effect', name: child.attributes['event'] ?? '' };
    const name = /^(.*)\(_event\);$/.exec(child.text)?.[1];
    if (child.name !== 'script' || name === undefined) throw unknownForm(child);
    return { kind: 'change', name };
  });
}

function childrenOf({ children }: Element, name: string): Element[] {
  return children.filter((child) => child.name === name);
}

function unknownForm({ name }: Element): VerifyError {
  return new VerifyError('VERIFY_SCXML_FORM', `<${name}>`);
}

/** Effects as actions without a body: `step.ts` collects their parameters. */

type EffectAction<Effect> = (scope: unknown, params: Effect) => void;

/** Declares effects of a dictionary in the `setup` of a machine. */
export function effectsOf<Effects extends { readonly type: string }>() {
  return <Type extends Effects['type']>(
      type: Type,
    ): EffectAction<Extract<Effects, { readonly type: Type }>> =>
    () =>
      type;
}

/** The action that asks for an effect whose fields follow from context and event. */
export function perform<Type extends string, Scope, Fields extends object>(
  type: Type,
  fields: (scope: Scope) => Fields,
) {
  return { type, params: (scope: Scope) => ({ type, ...fields(scope) }) };
}

/** The action that withdraws a timer. */
export function stopTimer(name: string) {
  return { type: 'timer.cancel', params: { type: 'timer.cancel', name } } as const;
}

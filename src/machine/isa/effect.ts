/** Shape → effect: runs a row's meaning. (Signatures first.) */
import { bug } from './bug.ts';
import type { Effect, FaultStep, Guard, Shape } from './dsl.ts';

/** The effect of an instruction of this shape. Pure: equal shapes give equal effects. */
export function effectOf(_shape: Shape): Effect {
  return bug('effectOf is being written');
}

/** The faults of a guard, in the order in which the processor checks them: #UD before #NM. */
export function guardSteps(_guard: Guard): readonly FaultStep[] {
  return bug('guardSteps is being written');
}

/** What is wrong with a form, with repairs of one press. */
import type { ModelView } from '../../services.ts';
import { type Form, LARGEST_SEED, MOST_PICTURES } from './form.ts';

export type Problem = {
  readonly field:
    | 'width'
    | 'height'
    | 'steps'
    | 'guidance'
    | 'seed'
    | 'count'
    | 'temperature'
    | 'shift';
  readonly message: string;
  readonly repairs: readonly { readonly label: string; readonly change: Partial<Form> }[];
};

export function problemsOf(form: Form, model: ModelView): readonly Problem[] {
  const isSquare = form.ratio === '1:1' && form.width === form.height;
  const fields = isSquare ? (['width'] as const) : (['width', 'height'] as const);
  const sides = fields.flatMap((field) => sideProblem(field, form, model));
  const limits = [
    ...(model.sampling.kind === 'diffusion'
      ? [limit('steps', form.steps, 1, 1000, true), limit('shift', form.shift, 0.01, 100, false)]
      : [limit('temperature', form.temperature, 0, 100, false)]),
    limit('guidance', form.guidance, 0, 100, false),
    limit('seed', form.seed, 0, LARGEST_SEED, true),
    limit('count', form.count, 1, MOST_PICTURES, true),
  ];
  return [...sides, ...limits.filter((found) => found !== undefined)];
}

function sideProblem(
  field: 'width' | 'height',
  form: Form,
  { size, trained }: ModelView,
): Problem[] {
  const value = form[field];
  const name = field === 'width' ? 'Width' : 'Height';
  const use = (side: number) => ({
    label: `Use ${side}`,
    change: form.ratio === '1:1' ? { width: side, height: side } : { [field]: side },
  });
  if (size.fixed)
    return value === trained[field]
      ? []
      : [
          {
            field,
            message: `${name} ${value} is not what this model draws: ${trained[field]}.`,
            repairs: [use(trained[field])],
          },
        ];
  const { multiple, largestSide } = size;
  if (!(value >= multiple && value <= largestSide)) {
    const message = `${name} ${value} is not between ${multiple} and ${largestSide}.`;
    return [{ field, message, repairs: [use(value > largestSide ? largestSide : multiple)] }];
  }
  if (value % multiple === 0) return [];
  const below = Math.floor(value / multiple) * multiple;
  return [
    {
      field,
      message: `${name} ${value} is not a multiple of the patch (${multiple}).`,
      repairs: [below, below + multiple].filter((side) => side <= largestSide).map(use),
    },
  ];
}

function limit(
  field: Problem['field'],
  value: number,
  least: number,
  most: number,
  whole: boolean,
): Problem | undefined {
  const name = field[0]!.toUpperCase() + field.slice(1);
  const inside = Math.min(most, Math.max(least, whole ? Math.round(value) : value));
  if (value === inside) return undefined;
  const usable = Number.isFinite(inside) ? inside : least;
  return {
    field,
    message: `${name} ${value} is not ${whole ? 'a whole number ' : ''}between ${least} and ${most}.`,
    repairs: [{ label: `Use ${usable}`, change: { [field]: usable } }],
  };
}

/** The options of an extension or a decoder, folded away while none is changed. */
import type { Choice } from '../../../services.ts';
import type { Options } from '../../state/form.ts';
import { Icon } from '../icon.tsx';
import { OptionFields } from '../option-fields.tsx';

export function MethodOptions({
  method,
  values,
  onChange,
}: {
  readonly method: Choice;
  readonly values: Options;
  readonly onChange: (values: Options) => void;
}) {
  if (method.options.length === 0) return null;
  const changed = Object.keys(values).length;
  return (
    <details class="options" open={changed > 0}>
      <summary class="s">
        <span class="chev">
          <Icon name="chev" />
        </span>
        Options
        {changed > 0 && <span class="soft xs push">{changed} changed</span>}
      </summary>
      <div class="two">
        <OptionFields method={method} values={values} onChange={onChange} />
      </div>
    </details>
  );
}

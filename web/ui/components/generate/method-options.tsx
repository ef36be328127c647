/** The options of an extension or a decoder, folded away while none is changed. */
import { OptionFields, type OptionFieldsProps } from '../option-fields.tsx';
import { Folded } from './folded.tsx';

export function MethodOptions(props: OptionFieldsProps) {
  if (props.method.options.length === 0) return null;
  const changed = Object.keys(props.values).length;
  return (
    <Folded
      title="Options"
      note={changed > 0 ? `${changed} changed` : undefined}
      isOpen={changed > 0}
    >
      <div class="two">
        <OptionFields {...props} />
      </div>
    </Folded>
  );
}

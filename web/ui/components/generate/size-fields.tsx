/** How large: the ruler, both sides, the aspect. */
import type { ModelView } from '../../api.ts';
import { type Form, RATIOS, type Ratio, ratioOf, sizeFor } from '../../state/form.ts';
import { change } from '../../state/session.ts';
import { IconButton, Seg } from '../controls.tsx';
import { Faults } from './faults.tsx';
import { NumberField } from './number-field.tsx';
import { Ruler } from './ruler.tsx';

type Both = { readonly form: Form; readonly model: ModelView };

export function SizeFields({ form: now, model: card }: Both) {
  const { fixed, multiple, largestSide } = card.size;
  if (fixed)
    return (
      <div class="field">
        <div class="label">
          Size
          <span class="val">
            {now.width} × {now.height} px
          </span>
        </div>
        <p class="hint">This model draws the size it was trained on.</p>
        <Faults of={['width', 'height']} />
      </div>
    );
  const setSide = (field: 'width' | 'height', side: number) => {
    const other = field === 'width' ? 'height' : 'width';
    const sides = { width: now.width, height: now.height, [field]: side };
    if (now.ratio !== 'free' && now.ratio !== '1:1')
      change({ ...sides, ratio: ratioOf(sides.width, sides.height) });
    else if (now.ratio === '1:1') change({ ...sides, [other]: side });
    else change(sides);
  };
  return (
    <div class="field">
      <div class="label">
        <label for="size">Size</label>
        <span class="val">
          {now.width} × {now.height} px
        </span>
      </div>
      <Ruler form={now} model={card} />
      <div class="wh">
        {(['width', 'height'] as const).map((field) => (
          <div class={`unit ${field}`} key={field}>
            <label class="sr" for={field}>
              {field === 'width' ? 'Width' : 'Height'}
            </label>
            <NumberField
              id={field}
              value={now[field]}
              min={multiple}
              max={largestSide}
              step={multiple}
              onChange={(side) => setSide(field, side)}
            />
            <span>px</span>
          </div>
        ))}
        <IconButton
          icon="swap"
          label="Swap width and height"
          onClick={() =>
            change({
              width: now.height,
              height: now.width,
              ratio: ratioOf(now.height, now.width),
            })
          }
        />
        <IconButton
          icon="lock"
          label="Keep the aspect ratio"
          aria-pressed={now.ratio !== 'free'}
          onClick={() =>
            change({ ratio: now.ratio === 'free' ? ratioOf(now.width, now.height) : 'free' })
          }
        />
      </div>
      <Faults of={['width', 'height']} />
      <Seg<Ratio>
        legend="Aspect"
        options={RATIOS.map((ratio) => ({ value: ratio, label: ratio }))}
        value={now.ratio}
        onChange={(ratio) =>
          change({ ratio, ...sizeFor(Math.max(now.width, now.height), ratio, card.size) })
        }
      />
    </div>
  );
}

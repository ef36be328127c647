/** A finished picture with what can be done with it. */
import { type StoredPicture, urls } from '../api.ts';
import { isMarked } from '../state/marks.ts';
import { promptOfPicture } from '../state/names.ts';
import { download, sameSeed, sendToForm, vary } from '../state/pictures.ts';
import { Icon } from './icon.tsx';

export const nameOf = (picture: StoredPicture): string =>
  `${promptOfPicture(picture)}, seed ${picture.seed}, ${picture.width} × ${picture.height} px`;

/** The picture itself, enlarged by whole pixels. */
export const FullPicture = ({ picture }: { readonly picture: StoredPicture }) => (
  <div class="pic">
    <img
      src={urls.file(picture.id)}
      width={picture.width}
      height={picture.height}
      alt={nameOf(picture)}
      class="grown"
    />
  </div>
);

export function Picture({
  picture,
  isChosen,
  onChoose,
  size = 128,
  tabIndex,
}: {
  readonly picture: StoredPicture;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly size?: 64 | 128 | 256;
  readonly tabIndex?: number;
}) {
  const name = nameOf(picture);
  // Pictures no larger than their thumbnail need none.
  const isSmall = Math.max(picture.width, picture.height) <= size;
  return (
    <div class={`pic ${isChosen ? 'sel' : ''}`}>
      <img
        src={isSmall ? urls.file(picture.id) : urls.thumb(picture.id, size)}
        width={size}
        height={size}
        alt={name}
        loading="lazy"
        decoding="async"
        class={isSmall ? 'grown' : ''}
      />
      <button
        type="button"
        class="open"
        aria-label={name}
        aria-pressed={isChosen}
        data-picture={picture.id}
        tabIndex={tabIndex}
        onClick={onChoose}
      />
      {isMarked(picture.id) && <span class="badge">marked</span>}
      <div class="acts">
        <Act icon="seed" label="Same seed" name={name} onClick={() => sameSeed(picture)} />
        <Act icon="vary" label="Vary" name={name} onClick={() => vary(picture)} />
        <Act icon="send" label="Send to form" name={name} onClick={() => sendToForm(picture)} />
        <Act
          icon="down"
          label="Download"
          name={name}
          onClick={() => download(urls.download(picture.id))}
        />
      </div>
    </div>
  );
}

function Act({
  icon,
  label,
  name,
  onClick,
}: {
  readonly icon: 'seed' | 'vary' | 'send' | 'down';
  readonly label: string;
  readonly name: string;
  readonly onClick: () => void;
}) {
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={`${label}: ${name}`}
      title={label}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

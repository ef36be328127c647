/** What becomes of a picture's file: kept as PNG, its recipe copied, deleted. */
import { type StoredPicture, urls } from '../api.ts';
import { copyRecipe, download } from '../state/pictures.ts';
import { complain } from '../state/toasts.ts';
import { IconButton } from './controls.tsx';
import { Icon } from './icon.tsx';

export function PictureActions({
  picture,
  onErase,
}: {
  readonly picture: StoredPicture;
  readonly onErase: () => void;
}) {
  return (
    <div class="row">
      <button type="button" class="btn grow" onClick={() => download(urls.download(picture.id))}>
        <Icon name="down" />
        PNG
      </button>
      <button type="button" class="btn grow" onClick={() => copyRecipe(picture).catch(complain)}>
        <Icon name="copy" />
        Recipe
      </button>
      <IconButton icon="trash" kind="bad" label="Delete, with undo" onClick={onErase} />
    </div>
  );
}

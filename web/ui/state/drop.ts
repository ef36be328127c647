/** A PNG that was dropped or chosen: its recipe into the form, or what another program wrote in it. */
import { signal } from '@preact/signals';
import { api, type PngInfo } from '../api.ts';
import { useRecipe } from './pictures.ts';
import { complain, toast } from './toasts.ts';

/** Text of another program, shown as text and nothing else. */
export const foreign = signal<(PngInfo & { readonly name: string }) | undefined>(undefined);

const PROGRAMS: Record<PngInfo['source'], string> = {
  ropewalk: 'Ropewalk',
  a1111: 'AUTOMATIC1111',
  comfyui: 'ComfyUI',
  invokeai: 'InvokeAI',
  swarmui: 'SwarmUI',
  none: '',
};
export const programOf = ({ source }: Pick<PngInfo, 'source'>): string => PROGRAMS[source];

export async function takeFile(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    const info = await api.pngInfo(file);
    if (info.recipe !== undefined && useRecipe(info.recipe))
      toast(`The form has the recipe of ${file.name}.`);
    else if (info.source === 'none')
      toast(`${file.name} has no recipe inside.`, {
        kind: 'warn',
        more: 'Programs that pass pictures on often take it out.',
      });
    else if (info.recipe === undefined) foreign.value = { ...info, name: file.name };
  } catch (error) {
    complain(error);
  }
}

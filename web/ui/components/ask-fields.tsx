/** The fields of small forms that ask for one picture: its words and its seed. */
import type { Signal } from '@preact/signals';

type FieldProps = { readonly value: Signal<string> };

export function PromptField({ value }: FieldProps) {
  return (
    <label class="field grow">
      <span class="label">Prompt</span>
      <input
        type="text"
        maxLength={4000}
        placeholder="such as red hair, glasses"
        value={value.value}
        onInput={({ currentTarget }) => {
          value.value = currentTarget.value;
        }}
      />
    </label>
  );
}

export function SeedField({ value }: FieldProps) {
  return (
    <label class="field">
      <span class="label">Seed</span>
      <input
        type="number"
        min={0}
        step={1}
        value={value.value}
        onInput={({ currentTarget }) => {
          value.value = currentTarget.value;
        }}
      />
    </label>
  );
}

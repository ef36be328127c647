/** Asks for the token that the server printed; it comes back as a cookie that scripts cannot read. */
import { useState } from 'preact/hooks';
import { Field } from '../components/controls.tsx';

export function Login() {
  const [fault, setFault] = useState<string>();
  const submit = async (token: string) => {
    const response = await fetch('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    }).catch(() => undefined);
    if (response?.ok) location.assign('/');
    else if (response?.status === 429) setFault('Too many tries; wait a minute.');
    else setFault(response ? 'That is not the token.' : 'The server does not answer.');
  };
  return (
    <main id="main" tabIndex={-1} class="login">
      <form
        class="card stack"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(String(new FormData(event.currentTarget).get('token')).trim());
        }}
      >
        <h1>Ropewalk</h1>
        <Field id="token" label="Token">
          <input
            type="password"
            id="token"
            name="token"
            required
            maxLength={200}
            autocomplete="current-password"
            aria-invalid={fault !== undefined || undefined}
            aria-describedby="token-h"
          />
          <p class={fault ? 's state bad' : 'hint'} id="token-h" role={fault ? 'alert' : undefined}>
            {fault ?? 'The server printed it when it started.'}
          </p>
        </Field>
        <button type="submit" class="btn main">
          Open
        </button>
      </form>
    </main>
  );
}

export function Decoding() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Decoding</h1>
      </div>
    </main>
  );
}

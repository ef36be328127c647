export function Models() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Models</h1>
      </div>
    </main>
  );
}

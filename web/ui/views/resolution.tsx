export function Resolution() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Resolution</h1>
      </div>
    </main>
  );
}

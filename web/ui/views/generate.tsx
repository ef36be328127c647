export function Generate() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Generate</h1>
      </div>
    </main>
  );
}

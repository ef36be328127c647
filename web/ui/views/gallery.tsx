export function Gallery() {
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>Gallery</h1>
      </div>
    </main>
  );
}

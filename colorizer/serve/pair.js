// Shows each new pair for its time, then takes one answer to it: by a button or an arrow key.
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const frame = () => new Promise((done) => requestAnimationFrame(done));
const buttons = () => [...element.querySelectorAll(".choice")];
let current = null;

const show = async () => {
  const trial = props.value;
  const pair = element.querySelector(".pair");
  const key = trial && `${trial.session} ${trial.trial}`;
  if (!pair || !trial || current?.key === key) return;
  const mine = (current = { key, trial: trial.trial, over: null });
  buttons().forEach((button) => (button.disabled = true));
  const images = [...pair.querySelectorAll("img")];
  await Promise.all([wait(trial.pause_ms), ...images.map((image) => image.decode())]);
  await frame();
  if (current !== mine) return;
  pair.classList.add("seen");
  const began = await frame();
  let now = began;
  // Half a frame before the end is nearer to it than half a frame after.
  while (now - began < trial.shown_ms - 8) now = await frame();
  pair.classList.remove("seen");
  Object.assign(mine, { shown: now - began, over: performance.now() });
  if (current === mine) buttons().forEach((button) => (button.disabled = false));
};

const answer = (side) => {
  if (!current || current.over === null) return;
  const { trial, shown, over } = current;
  current.over = null;
  buttons().forEach((button) => (button.disabled = true));
  trigger("submit", {
    trial, chosen: side, shown_ms: shown, answer_ms: performance.now() - over,
  });
};

element.addEventListener("click", (event) => {
  const button = event.target.closest(".choice");
  if (button) answer(button.dataset.side);
});
document.addEventListener("keydown", (event) => {
  const side = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
  if (side && !event.repeat && element.offsetParent !== null) answer(side);
});
watch("value", show);
show();

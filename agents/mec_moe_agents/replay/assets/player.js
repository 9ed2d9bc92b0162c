// Player: which step is shown; buttons, slider and keys that change it.

const SPEEDS = [1, 2, 5, 10, 25, 100];

class Player {
  /** `show` is called with every step that is gone to; `differs` are steps, rising. */
  constructor(steps, differs, speed, show) {
    Object.assign(this, { steps, differs, speed, show, step: 0, playing: false });
    this.slider = document.getElementById("step");
    this.slider.max = steps - 1;
    this.slider.addEventListener("input", () => this.stop() || this.go(Number(this.slider.value)));
    this.bindButtons();
    this.bindSpeed();
    document.addEventListener("keydown", (event) => this.key(event));
  }

  bindButtons() {
    const actions = {
      "first": () => this.jump(0),
      "back": () => this.jump(this.step - 1),
      "play": () => this.toggle(),
      "forward": () => this.jump(this.step + 1),
      "last": () => this.jump(this.steps - 1),
      "previous-difference": () => this.jump(this.previousDifference()),
      "next-difference": () => this.jump(this.nextDifference()),
    };
    for (const [id, action] of Object.entries(actions)) {
      document.getElementById(id).addEventListener("click", (event) => {
        // After a press with the mouse the space bar shall play, not press the button again.
        if (event.detail > 0) event.currentTarget.blur();
        action();
      });
    }
  }

  bindSpeed() {
    const select = document.getElementById("speed");
    for (const speed of SPEEDS) {
      select.append(make("option", { words: `${speed} / s`, value: speed }));
    }
    select.value = this.speed;
    select.addEventListener("change", () => { this.speed = Number(select.value); });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    if (event.key === " " && ["BUTTON", "SUMMARY"].includes(event.target.tagName)) return;
    const far = event.shiftKey ? 10 : 1;
    const actions = {
      " ": () => this.toggle(),
      "ArrowLeft": () => this.jump(this.step - far),
      "ArrowRight": () => this.jump(this.step + far),
      "Home": () => this.jump(0),
      "End": () => this.jump(this.steps - 1),
      "n": () => this.jump(this.nextDifference()),
      "p": () => this.jump(this.previousDifference()),
      "t": () => document.getElementById("theme").click(),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }

  nextDifference() {
    return this.differs.find((step) => step > this.step) ?? this.step;
  }

  previousDifference() {
    return this.differs.findLast((step) => step < this.step) ?? this.step;
  }

  /** Stop, and go to a step. */
  jump(step) {
    this.stop();
    this.go(step);
  }

  go(step) {
    this.step = Math.max(0, Math.min(this.steps - 1, step));
    this.slider.value = this.step;
    document.getElementById("next-difference").disabled = this.nextDifference() === this.step;
    document.getElementById("previous-difference").disabled = this.previousDifference() === this.step;
    this.show(this.step);
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  /** Play to the end; from the beginning if the end is shown. */
  play() {
    if (this.step === this.steps - 1) this.go(0);
    this.setPlaying(true);
    let shown = performance.now();
    const tick = (now) => {
      if (!this.playing) return;
      const due = Math.floor(((now - shown) * this.speed) / 1000);
      if (due > 0) {
        shown += (due * 1000) / this.speed;
        this.go(this.step + due);
      }
      if (this.step === this.steps - 1) this.stop();
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  stop() {
    if (this.playing) this.setPlaying(false);
  }

  setPlaying(playing) {
    this.playing = playing;
    document.getElementById("play").textContent = playing ? "Pause" : "Play";
    if (!playing) this.show(this.step);
  }
}

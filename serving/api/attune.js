// Attune in a browser (docs/producers.md): batches views with their dwell time, and sends beacons.
export class Teller {
  constructor({ url, token, user, every = 5000 }) {
    this.to = `${url}/v1/events?token=${token}`; this.user = user; this.queue = [];
    this.timer = setInterval(() => this.flush(), every);
    addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") this.leave(); });
    addEventListener("pagehide", () => this.leave());
  }
  event(topic, value) { return { topic, value: { event_id: crypto.randomUUID(), ts_ms: Date.now(), ...value, user_id: this.user } }; }
  later(topic, value) { if (this.queue.push(this.event(topic, value)) > 99) this.flush(); }
  async now(topic, value) { await this.post([...this.queue.splice(0), this.event(topic, value)]); }
  async flush() { const batch = this.queue.splice(0); if (batch.length) await this.post(batch).catch((error) => { if (error.again) this.queue.unshift(...batch); }); }
  async post(batch) {
    const answer = await fetch(this.to, { method: "POST", body: JSON.stringify(batch), keepalive: true });
    if (!answer.ok) throw Object.assign(new Error(`events: ${answer.status}`), { again: answer.status > 499 });
  }
  leave() { this.seen?.forEach((since, id) => this.look(id, since)); const batch = this.queue.splice(0); if (batch.length) navigator.sendBeacon(this.to, JSON.stringify(batch)); }
  look(id, since) { const dwell_ms = Math.round(performance.now() - since); if (dwell_ms > 999) this.later("views", { item_id: id, dwell_ms }); this.seen.delete(id); }
  watch(root = document) {
    this.seen = new Map();
    const eye = new IntersectionObserver((found) => found.forEach(({ target, isIntersecting }) => {
      const id = target.dataset.attuneItem;
      if (isIntersecting) this.seen.set(id, performance.now()); else if (this.seen.has(id)) this.look(id, this.seen.get(id));
    }), { threshold: .6 });
    root.querySelectorAll("[data-attune-item]").forEach((item) => eye.observe(item));
  }
}

// A page that was opened as a file may start no worker: its search then runs in a frame of its own.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      this.onmessage = null;
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => this.later(this, data);
      const script = inside.document.createElement("script");
      script.src = new URL(url, location.href);
      script.onload = () => {
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.postMessage(data));
      };
      inside.document.body.append(script);
    }

    postMessage(data) {
      if (this.waiting) {
        this.waiting.push(data);
      } else {
        this.later(this.frame.contentWindow, data);
      }
    }

    later(receiver, message) {
      const data = structuredClone(message);
      setTimeout(() => this.frame && receiver.onmessage?.({ data }));
    }

    terminate() {
      this.frame?.remove();
      this.frame = null;
    }
  };
}

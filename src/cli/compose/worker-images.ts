/**
 * An image store whose images are with the worker before a prompt names them: uploading happens beside the snippets of other episodes,
 * and sampling does not wait for it.
 */
import type { CanonicalImage, ImageStore } from "../../core/images.ts";
import type { EngineClient } from "../../engine/client.ts";

/** Remembered uploads; an image that is forgotten is uploaded once more. */
const MOST_KNOWN = 10_000;

/** `client` is the worker's present life. An upload that fails is left to the call that needs the image: it asks again, or says why. */
export function imagesWithWorker(store: ImageStore, client: () => EngineClient): ImageStore {
  const uploads = new WeakMap<EngineClient, Map<string, Promise<void>>>();
  const upload = ({ sha256, png }: CanonicalImage): Promise<void> => {
    const life = client();
    const known = uploads.get(life) ?? new Map<string, Promise<void>>();
    uploads.set(life, known);
    if (known.size >= MOST_KNOWN) known.clear();
    const begun = known.get(sha256) ?? life.putImage(sha256, png).catch(() => void known.delete(sha256));
    known.set(sha256, begun);
    return begun;
  };
  return {
    async put(image) {
      await Promise.all([store.put(image), upload(image)]);
    },
    get: (sha256) => store.get(sha256),
  };
}

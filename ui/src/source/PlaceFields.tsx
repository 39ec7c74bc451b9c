import { useEffect, useEffectEvent, useRef, useState } from "react";

import { useBackend } from "../backend/context";
import type { Entered, RefusedField } from "./entered";
import { collectionDetail, onlyOne } from "./listed";
import { ListedField } from "./ListedField";
import { type Asked, useListing } from "./useListing";

export interface Place {
  database: string;
  collection: string;
}

interface Props {
  entered: Entered;
  /** Where to list, and with which secrets. */
  asked: Asked;
  /** The connection string has been read, so that the server can be asked. */
  canList: boolean;
  isRefused: (field: RefusedField) => boolean;
  change: (part: Partial<Entered>) => void;
  /** The place is the one that is meant, not one that is still being typed. */
  commit: (place: Place) => void;
}

/** The database and the collection, chosen from what the server lists or typed. */
export function PlaceFields({ entered, asked, canList, isRefused, change, commit }: Props) {
  const backend = useBackend();
  const [inside, setInside] = useState<keyof Place | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const isTyped = useRef(false);
  const databaseInput = useRef<HTMLInputElement>(null);
  const collectionInput = useRef<HTMLInputElement>(null);
  const { database, collection } = entered;
  const databases = useListing(["databases"], asked, canList && inside === "database", (id, at) =>
    backend.listDatabases(id, at.draft, at.secrets),
  );
  const onlyDatabase = onlyOne(databases.items);
  // The collections of a database that was chosen are needed next.
  const isMeant = inside === "collection" || database === chosen || database === onlyDatabase;
  const collections = useListing(
    ["collections", database],
    asked,
    canList && isMeant && database.trim() !== "",
    (id, at) => backend.listCollections(id, at.draft, at.secrets),
  );
  const onlyCollection = onlyOne(collections.items?.map(({ name }) => name) ?? null);

  // What leaves no choice need not be chosen.
  const preselect = useEffectEvent((field: keyof Place, name: string | null) => {
    if (name === null || entered[field].trim() !== "") return;
    change({ [field]: name });
    if (field === "collection") commit({ database, collection: name });
    // Somebody who is about to type a different name replaces it.
    const input = field === "database" ? databaseInput : collectionInput;
    if (inside === field) setTimeout(() => input.current?.select(), 0);
  });
  useEffect(() => preselect("database", onlyDatabase), [onlyDatabase]);
  useEffect(() => preselect("collection", onlyCollection), [onlyCollection]);

  const type = (field: keyof Place) => (text: string) => {
    isTyped.current = true;
    change({ [field]: text });
  };
  const moved = (field: keyof Place) => (isInside: boolean) => {
    setInside((now) => (isInside ? field : now === field ? null : now));
    if (isInside || !isTyped.current) return;
    isTyped.current = false;
    commit({ database, collection });
  };
  return (
    <div className="two-fields">
      <ListedField
        label="Database"
        plural="databases"
        placeholder="trading"
        testId="source-database"
        inputRef={databaseInput}
        value={database}
        listing={databases}
        choices={(databases.items ?? []).map((id) => ({ id, detail: "" }))}
        isInvalid={isRefused("database")}
        onType={type("database")}
        onChoose={(name) => {
          isTyped.current = false;
          setChosen(name);
          change({ database: name });
          if (collection.trim() !== "") commit({ database: name, collection });
          // The collection is chosen next; its list opens when it gets the focus.
          else setTimeout(() => collectionInput.current?.focus(), 0);
        }}
        onFocusChange={moved("database")}
      />
      <ListedField
        label="Collection"
        plural="collections"
        placeholder="messages"
        testId="source-collection"
        inputRef={collectionInput}
        value={collection}
        listing={collections}
        choices={(collections.items ?? []).map((entry) => ({
          id: entry.name,
          detail: collectionDetail(entry),
        }))}
        isInvalid={isRefused("collection")}
        onType={type("collection")}
        onChoose={(name) => {
          isTyped.current = false;
          change({ collection: name });
          commit({ database, collection: name });
        }}
        onFocusChange={moved("collection")}
      />
    </div>
  );
}

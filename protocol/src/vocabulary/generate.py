#!/usr/bin/env python3
"""Writes default.tsv, the vocabulary that Knackmesh embeds.

    generate.py ESCO_FOLDER ONET_FOLDER > default.tsv

ESCO_FOLDER holds the official English CSV pack of ESCO 1.1.1, ONET_FOLDER the tab-separated files of O*NET 29.
What to take is in selection.txt beside this file. The same inputs give the same bytes.
"""

import csv
import math
import os
import re
import sys

ESCO = "http://data.europa.eu/esco/"
HEADER = """
# An excerpt of ESCO 1.1.1 and O*NET 29, with skills of our own: see README.md beside this file.
# This service uses the ESCO classification of the European Commission. Modified.
# uri	framework	preferred label	alternative labels	broader	idf in thousandths
"""
# A skill that no occupation is known to need is taken to be as rare as a technology of one O*NET occupation.
ASSUMED_ONET_OCCUPATIONS = 1


def rows(folder, name, delimiter=","):
    # utf-8-sig: the packs begin with a byte-order mark. newline="": cells hold line breaks.
    with open(os.path.join(folder, name), encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def clean(text):
    return " ".join(text.split())


def folded(text):
    return clean(text).lower()


def unqualified(text):
    return re.sub(r"\s*\([^()]*\)$", "", folded(text))


def idf(total, count):
    return round(1000 * math.log((total + 1) / (count + 1)))


def listed(cell):
    return [clean(part) for part in cell.split("|") if clean(part)]


class Esco:
    def __init__(self, folder):
        self.label, self.alternatives, self.by_label, self.parents = {}, {}, {}, {}
        children = {}
        for name in ("skills_en.csv", "skillGroups_en.csv"):
            for row in rows(folder, name):
                uri = row["conceptUri"]
                self.label[uri] = clean(row["preferredLabel"])
                self.alternatives[uri] = [clean(a) for a in row["altLabels"].split("\n") if clean(a)]
                if name == "skills_en.csv":
                    self.by_label.setdefault(self.label[uri], uri)
        for row in rows(folder, "broaderRelationsSkillPillar.csv"):
            self.parents.setdefault(row["conceptUri"], set()).add(row["broaderUri"])
            children.setdefault(row["broaderUri"], set()).add(row["conceptUri"])
        self.children = children
        self.needed_by = {}
        occupations = set()
        for row in rows(folder, "occupationSkillRelations.csv"):
            self.needed_by.setdefault(row["skillUri"], set()).add(row["occupationUri"])
            occupations.add(row["occupationUri"])
        self.total = len(occupations)

    def uri(self, name):
        uri = self.by_label.get(name) or ESCO + name
        if uri not in self.label:
            sys.exit(f"not in ESCO: {name}")
        return uri

    def occupations(self, uri):
        """How many occupations need the skill or one narrower than it."""
        found, seen, queue = set(), {uri}, [uri]
        while queue:
            at = queue.pop()
            found |= self.needed_by.get(at, set())
            fresh = self.children.get(at, set()) - seen
            seen |= fresh
            queue.extend(fresh)
        return len(found)

    def broader(self, uri, kept):
        """The nearest ancestors that are kept."""
        found, seen, queue = set(), {uri}, [uri]
        while queue:
            at = queue.pop()
            for parent in self.parents.get(at, set()) - seen:
                seen.add(parent)
                if parent in kept:
                    found.add(parent)
                else:
                    queue.append(parent)
        return found


class Onet:
    def __init__(self, folder):
        self.occupations, everyone = {}, set()
        for row in rows(folder, "Technology Skills.txt", "\t"):
            key = (row["Commodity Code"], row["Example"])
            self.occupations.setdefault(key, set()).add(row["O*NET-SOC Code"])
            everyone.add(row["O*NET-SOC Code"])
        self.total = len(everyone)


def selection():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "selection.txt"), encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield [cell.strip() for cell in line.split(";")]


def slug(label):
    spelled = label.lower().replace("+", "p").replace("#", "sharp")
    return re.sub(r"[^a-z0-9]+", "-", spelled).strip("-")


def main():
    esco, onet = Esco(sys.argv[1]), Onet(sys.argv[2])
    unknown = idf(onet.total, ASSUMED_ONET_OCCUPATIONS)
    entries, named, chosen = {}, {}, {}
    for kind, name, *rest in selection():
        rest += [""] * (3 - len(rest))
        own, broader = listed(rest[0]), listed(rest[1])
        if kind == "esco":
            uri = esco.uri(name)
            count = esco.occupations(uri)
            weight = idf(esco.total, count) if count else unknown
            entry = ("ESCO", esco.label[uri], own, esco.alternatives[uri], broader, weight)
        elif kind == "onet":
            code, _, example = rest[2].partition(" ")
            if (code, example) not in onet.occupations:
                sys.exit(f"not in O*NET: {code} {example}")
            uri = f"urn:knackmesh:onet:{code}:{slug(name)}"
            weight = idf(onet.total, len(onet.occupations[code, example]))
            entry = ("ONET", name, own, [example], broader, weight)
        elif kind == "knack":
            uri = f"urn:knackmesh:skill:{slug(name)}"
            entry = ("KNACK", name, own, [], broader, unknown)
        else:
            sys.exit(f"unknown kind: {kind}")
        if uri in entries:
            sys.exit(f"twice: {name}")
        entries[uri] = entry
        named.setdefault(entry[1], uri)
        for name in {folded(entry[1]), unqualified(entry[1]), *map(folded, own)}:
            if chosen.setdefault(name, uri) != uri:
                sys.exit(f"two skills of one name: {name}")

    print(HEADER.strip())
    for uri in sorted(entries):
        framework, label, own, alternatives, broader, weight = entries[uri]
        kept, seen = [], {folded(label), unqualified(label)}
        for alternative in own + alternatives:
            # A name that the selection gives to one skill is taken from every other.
            taken = chosen.get(folded(alternative), uri) != uri
            if not taken and folded(alternative) not in seen and "|" not in alternative:
                seen.add(folded(alternative))
                kept.append(alternative)
        if framework == "ESCO":
            parents = esco.broader(uri, entries.keys())
        else:
            parents = {named.get(b) or sys.exit(f"no such broader skill: {b}") for b in broader}
        print(uri, framework, label, "|".join(kept), "|".join(sorted(parents)), weight, sep="\t")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: BSD-2-Clause
"""Cache trees: what lies in them, made by floor/maketree.c."""

import os
import shutil

from suite.programs import expect, run

PARTS = 3
FAMILIES = ("daily", "ports", "categories", "commits", "packages", "news", "general", "pages",
            "html", "spooling")


def port(index, categories):
    return f"category{index % categories}", f"p5-Tool-Box{index}"


def port_folder(index, categories):
    return "ports/{}/{}".format(*port(index, categories))


def pages_of_port():
    return [f"Detail.Part{part}.head.PageSize100.PageNum1.html" for part in range(1, PARTS + 1)]


def days(count):
    """So many days, none of a month being left out: 28 to a month."""
    return [f"{2019 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}" for n in range(count)]


class Tree:
    """A tree that can be made again and again."""

    def __init__(self, floor, lists, ports, categories, day_count=0, is_large=False):
        self.floor = floor
        self.is_large = is_large
        self.list = f"{lists}/tree-{ports}-{day_count}"
        self.folder_list = f"{self.list}-folders"
        folders = {port_folder(index, categories): pages_of_port() for index in range(ports)}
        for day in days(day_count):
            year, month, number = day.split("-")
            folders.setdefault(f"daily/{year}/{month}", []).append(f"{number}.daily.head")
        for n in range(categories):
            folders[f"categories/category{n}"] = [
                f"category{n}.0.head.PageSize100.PageNum1.html"]
        folders["news"] = ["news.rss2.0.head.xml", "index-html-head-pagesize100-pagenum1-html"]
        self.files = sum(map(len, folders.values()))
        self.folders = len(folders)
        with open(self.list, "w") as file:
            for folder, names in folders.items():
                file.write("\t".join([folder, *names]) + "\n")
            file.writelines(f"{family}\n" for family in FAMILIES)
        with open(self.folder_list, "w") as file:
            file.writelines(f"{folder}\n" for folder in folders)

    def make(self, path):
        """Makes the tree at a path that must not exist. One thread is the fastest to make it:
        what creates must wait for the allocation of inodes in any case."""
        os.mkdir(path)
        kind = "sparse" if self.is_large else "written"
        made = run([f"{self.floor}/maketree", path, 1, kind], stdin=self.list)
        expect("pages written", int(made.split()[0]), self.files)
        return path

    def remove(self, path):
        """Takes it away, whatever was done to it; several threads wait for the disk together."""
        if os.path.isdir(path):
            run([f"{self.floor}/unlink", path, 8, "folders"], stdin=self.folder_list)
            shutil.rmtree(path)


def count_files(path):
    return sum(len(files) for _, _, files in os.walk(path))


def empty_tree(path, categories):
    """A tree with the folders of all families and categories, but without a page."""
    for family in FAMILIES:
        os.makedirs(f"{path}/{family}")
    for n in range(categories):
        os.makedirs(f"{path}/ports/category{n}")
        os.makedirs(f"{path}/categories/category{n}")
    return path

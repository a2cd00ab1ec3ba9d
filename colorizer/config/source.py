"""Reading the files of `--config-dir`, which may be anything."""

from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig

from colorizer.errors import UserError
from colorizer.files import reading_yaml


class CheckedFiles(FileConfigSource):
    """Hydra's files; errors name the file, the line and the column."""

    @staticmethod
    def scheme() -> str:
        """`checked://FOLDER`."""
        return "checked"

    def load_config(self, config_path: str) -> ConfigResult:
        """Load a file.

        Raises:
            UserError: it cannot be read, see `colorizer.files.reading_yaml`, or is no config.
        """
        path = Path(self.path) / self._normalize_file_name(config_path)
        with reading_yaml(path):
            result = super().load_config(config_path)
        if not isinstance(result.config, DictConfig):
            raise UserError(f"{path}: a list, where there should be keys with values")
        return result


def checked_search_path(folder: str) -> str:
    """Hydra's override that adds a folder.

    Raises:
        UserError: there is none.
    """
    path = Path(folder).absolute()
    if not path.is_dir():
        raise UserError(f"--config-dir {folder}: there is no such folder")
    SourcesRegistry.instance().register(CheckedFiles)
    return f"hydra.searchpath=['{CheckedFiles.scheme()}://{path}']"

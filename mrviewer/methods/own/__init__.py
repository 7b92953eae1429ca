"""Own models: weights that a person fine-tuned or was given, each one safetensors file in one folder.

They stand in the list of methods under their own names. `add_model` puts one there, `export_model` and `import_model`
carry it to other installations, `mrviewer.finetuning.remove_model` takes it out and `restore_model` puts it back.
Nothing in such a file is ever executed; it is tensors and a card.
"""

from mrviewer.methods.own.model_names import ENDING, check_model_name, own_models_folder, suggest_model_name
from mrviewer.methods.own.own_methods import Adaptable, find_own_method, own_methods, own_model_names
from mrviewer.methods.own.removal import removed_model_names, restore_model
from mrviewer.methods.own.transfer import add_model, export_model, import_model
from mrviewer.methods.own.weights_record import OwnModel, find_own_model, own_models

__all__ = [
    "ENDING",
    "Adaptable",
    "OwnModel",
    "add_model",
    "check_model_name",
    "export_model",
    "find_own_method",
    "find_own_model",
    "import_model",
    "own_methods",
    "own_model_names",
    "own_models",
    "own_models_folder",
    "removed_model_names",
    "restore_model",
    "suggest_model_name",
]
